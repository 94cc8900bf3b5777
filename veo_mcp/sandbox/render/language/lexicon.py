"""The vocabulary that prompts are read with: English, and common words of Spanish, French, German, Portuguese, Japanese, Chinese.

Read by words.py only. Accents do not matter (words are folded); a trailing * matches any ending. Data, no code.
"""

from __future__ import annotations

PLACES: dict[str, str] = {
    "sea": "sea,ocean,beach,coast,shore,seaside,wave,lake,bay,harbor,harbour,island,lagoon,surf*,river,waterfall,sailing,mar,"
    "oceano,playa,costa,ola,lago,isla,rio,mer,plage,cote,vague,lac,ile,riviere,meer,ozean,strand,kuste,welle,see,insel,"
    "fluss,praia,onda,ilha,lagoa,lighthouse,faro,phare,leuchtturm,farol,海,浜,ビーチ,波,湖,島,海洋,海滩,沙滩,大海,海岸,川,河,灯台,灯塔",
    "mountain": "mountain,peak,alps,alpine,himalaya*,summit,ridge,valley,cliff,canyon,glacier,hill,volcano,montana,cumbre,valle,"
    "volcan,colina,montagne,sommet,vallee,colline,falaise,berg,gebirge,alpen,gipfel,tal,hugel,vulkan,montanha,pico,serra,"
    "morro,山,山脈,富士,峠,谷,火山,山脉,高山,雪山,峡谷",
    "forest": "forest,woods,woodland,jungle,rainforest,pine tree,redwood,grove,bosque,selva,foret,jungle,bois,wald,dschungel,"
    "floresta,mata,森,林,ジャングル,竹林,森林,树林,丛林",
    "city": "city,skyline,downtown,metropolis,skyscraper,rooftop,town,cityscape,urban,tokyo,new york,paris,london,shanghai,"
    "ciudad,rascacielos,ville,gratte-ciel,stadt,hochhaus,wolkenkratzer,cidade,arranha-ceu,都市,街並み,都会,ビル,東京,城市,"
    "摩天大楼,天际线,大都会",
    "desert": "desert,dune,sahara,oasis,sandstorm,mars,martian,wasteland,desierto,duna,deserto,dunas,wuste,dune,sanddune,"
    "砂漠,砂丘,沙漠,沙丘,火星",
    "park": "park,garden,meadow,field,lawn,grassland,prairie,countryside,farm,orchard,playground,picnic,grass,village,parque,jardin,"
    "prado,campo,pradera,parc,pre,champ,prairie,campagne,garten,wiese,feld,jardim,prado,campina,公園,庭,草原,野原,田,公园,花园,"
    "草地,田野",
    "street": "street,car parks,parks in front,parking lot,car park,parked car,city street,city road,neon street,road,alley,avenue,market,crosswalk,sidewalk,highway,calle,callejon,mercado,avenida,carretera,rue,ruelle,"
    "marche,route,strasse,straße,gasse,markt,rua,beco,estrada,mercado,通り,路地,道路,街道,街,巷,马路,市场",
    "room": "room,kitchen,bedroom,living room,office,indoors,interior,cafe,coffee shop,library,restaurant,studio,house,"
    "window,desk,fireplace,sofa,habitacion,cocina,oficina,biblioteca,casa,ventana,chambre,cuisine,bureau,bibliotheque,maison,"
    "fenetre,zimmer,kuche,buro,bibliothek,wohnzimmer,haus,fenster,quarto,cozinha,escritorio,sala,janela,部屋,台所,喫茶店,図書館,"
    "窓,房间,厨房,办公室,咖啡馆,图书馆,窗",
    "space": "space,galaxy,planet,nebula,cosmos,cosmic,orbit around earth,outer space,milky way,spaceship,spacecraft,asteroid,universe,"
    "satellite,black hole,espacio,galaxia,planeta,nebulosa,universo,espace,galaxie,planete,nebuleuse,univers,weltraum,weltall,"
    "galaxis,nebel im all,espaco,宇宙,銀河,惑星,星雲,太空,银河,行星,星云",
    "underwater": "underwater,coral,reef,deep sea,seabed,scuba,diver,diving,aquarium,kelp,submarino,arrecife,bajo el agua,"
    "sous-marin,sous l'eau,recif,corail,unterwasser,riff,korallen,subaquatico,recife,debaixo d'agua,水中,海底,珊瑚,サンゴ,"
    "深海,水下,潜水",
}

TIMES: dict[str, str] = {
    "dawn": "dawn,sunrise,daybreak,early morning,morning,first light,amanecer,alba,manana,aube,lever du soleil,matin,"
    "morgendammerung,sonnenaufgang,morgen,amanhecer,nascer do sol,manha,夜明け,日の出,朝,黎明,日出,清晨,早晨,拂晓",
    "noon": "noon,midday,day,daytime,afternoon,sunny,bright,daylight,mediodia,dia,tarde,soleado,midi,journee,apres-midi,ensoleille,"
    "mittag,tag,nachmittag,sonnig*,meio-dia,ensolarado,昼,正午,真昼,日中,晴天,中午,白天,下午,阳光",
    "sunset": "sunset,golden hour,sundown,evening,dusk,twilight,golden light,atardecer,puesta de sol,ocaso,anochecer,crepusculo,coucher du "
    "soleil,crepuscule,soir,sonnenuntergang,abend*,dammerung,por do sol,por-do-sol,entardecer,anoitecer,夕日,夕焼け,夕暮れ,日没,夕方,黄昏,日落,夕阳,"
    "傍晚,晚霞",
    "night": "night,midnight,moonlit,moonlight,moon,starry,stars,nocturnal,nighttime,noche,luna,estrellas,estrellado,nuit,lune,etoiles,"
    "nacht,mond,sterne,nachts,noite,lua,estrelas,夜,月,星空,真夜中,夜晚,深夜,月光,夜景,午夜",
}

WEATHERS: dict[str, str] = {
    "rain": "rain*,drizzle,downpour,wet street,lluvia,lluvioso,lloviendo,pluie,pluvieux,regen*,verregnet,chuva,chuvoso,雨,下雨,雨天,小雨",
    "snow": "snow,snows,snowing,snowfall,snowstorm,snowflake,blizzard,nieve,nevando,neige,schnee,schneit,schneefall,neve,nevando,雪,"
    "吹雪,下雪",
    "fog": "fog,foggy,mist*,haze,hazy,niebla,neblina,brume*,brouillard,nebel,neblig*,nevoa,nevoeiro,霧,靄,雾,薄雾",
    "storm": "storm*,thunder*,lightning,tempest,hurricane,tormenta,tempestad,relampago,orage,tempete,eclair,sturm,gewitter,"
    "blitz*,tempestade,trovoada,嵐,雷,稲妻,暴风雨,风暴,闪电,雷雨",
    "clear": "clear,cloudless,blue sky,despejado,cielo azul,degage,ciel bleu,klar,wolkenlos,blauer himmel,ceu limpo,ceu azul,快晴,青空,"
    "晴朗,蓝天",
    "cloudy": "cloudy,overcast,clouds,nublado,nubes,nuageux,nuages,bewolkt,wolken,nuvens,曇り,雲,多云,阴天",
}

CAMERAS: dict[str, str] = {
    "drone": "drone,aerial,bird's eye,birds-eye,flyover,flying over,fly over,helicopter,aereo,aerea,dron,vista aerea,aerien,vue aerienne,"
    "luftaufnahme,drohne*,vogelperspektive,ドローン,空撮,航拍,无人机,俯瞰",
    "orbit": "orbit,orbiting,orbits,circles around,circling,rotates around,arc shot,360,orbita,orbitale,umkreis*,旋回,回り込,环绕,旋转",
    "tracking": "tracking,follows,following,track,trucking,side-scroll*,seguimiento,siguiendo,sigue,travelling,suit,suivi,"
    "verfolg*,folgt,acompanha*,seguindo,追いかけ,追跡,トラッキング,追う,跟拍,跟随,追踪",
    "zoom_out": "zoom out,zooms out,zooming out,pulls back,pull back,pull out,pulls out,slowly zooms out,aleja,alejandose,zoom "
    "arriere,recule,herauszoom*,zoomt heraus,afasta,ズームアウト,拉远,缩小",
    "zoom_in": "zoom,zoom in,zooms in,zooming in,close-up,closeup,close up,macro,acercamiento,zoom avant,gros plan,nahaufnahme,heranzoom*,"
    "zoomt,aproxima,ズーム,ズームイン,クローズアップ,特写,推近,放大",
    "dolly": "dolly,push in,pushes in,pushing in,moves forward,moving forward,forward,walkthrough,avanza,avance,kamerafahrt,fahrt,"
    "avanca,前進,ドリー,推进,推镜",
    "tilt_down": "tilt down,tilts down,tilting down,looks down,inclina hacia abajo,bascule vers le bas,schwenkt nach unten,下を向,下摇",
    "tilt_up": "tilt,tilts,tilt up,tilts up,tilting up,looks up,rising shot,crane,inclina,bascule,schwenkt nach oben,ティルト,見上げ,仰拍,上摇",
    "pan_left": "pan left,pans left,panning left,pans to the left,paneo a la izquierda,panoramique a gauche,schwenk nach links,左パン,"
    "左摇,向左",
    "pan_right": "pan,pans,panning,panorama,panoramic,pan right,sweeping,paneo,panea,panoramica,panoramique,schwenk*,パン,摇镜,平移,横移",
    "handheld": "handheld,hand-held,shaky,documentary style,vlog,camara en mano,camera a l'epaule,handkamera,camera na mao,手持ち,手ブレ,"
    "手持,晃动",
    "static": "static,fixed camera,locked-off,still shot,tripod,motionless,estatica,fija,camera fixe,plan fixe,statisch,fest*e "
    "kamera,fixa,固定カメラ,定点,固定镜头,静止",
}

SUBJECTS: dict[str, str] = {
    "dog": "dog,puppy,golden retriever,perro,cachorro,chien,hund,welpe,cao,犬,子犬,狗,小狗",
    "cat": "cat,kitten,gato,gatito,chat,chaton,katze,katzchen,gatinho,猫,子猫,小猫",
    "horse": "horse,stallion,unicorn,pony,caballo,cheval,pferd,cavalo,馬,马",
    "deer": "deer,stag,elk,moose,fawn,ciervo,venado,cerf,hirsch,reh,cervo,鹿",
    "wolf": "wolf,wolves,fox,lobo,zorro,loup,renard,fuchs,raposa,狼,狐,狐狸",
    "bird": "bird,seagull,gull,eagle,flock,crow,swan,dove,pajaro,ave,gaviota,aguila,oiseau,mouette,aigle,vogel,mowe,adler,passaro,gaivota,"
    "aguia,鳥,カモメ,鷲,鸟,海鸥,鹰",
    "fish": "fish,shark,ray,pez,peces,tiburon,poisson,requin,fisch,hai,peixe,tubarao,魚,サメ,鱼,鲨鱼",
    "jellyfish": "jellyfish,medusa,meduse,qualle,agua-viva,クラゲ,水母",
    "turtle": "turtle,tortuga,tortue,schildkrote,tartaruga,亀,カメ,海龟,乌龟",
    "whale": "whale,dolphin,orca,ballena,delfin,baleine,dauphin,wal,baleia,golfinho,鯨,クジラ,イルカ,鲸鱼,鲸,海豚",
    "elephant": "elephant,elefante,elefant,象,大象",
    "camel": "camel,caravan,camello,chameau,kamel,karawane,camelo,ラクダ,骆驼",
    "person": "person,man,woman,people,someone,he,she,traveler,traveller,hiker,walker,figure,detective,samurai,warrior,farmer,chef,girl,boy,"
    "runner,skier,surfer,persona,hombre,mujer,gente,chica,chico,viajero,personne,homme,femme,gens,fille,garcon,voyageur,mensch*,mann,"
    "frau,leute,madchen,junge,wanderer,pessoa,homem,mulher,menina,menino,viajante,人,男,女,男性,女性,少女,少年,侍,男人,女人,女孩,男孩,行人",
    "child": "child,children,kid,toddler,nino,nina,ninos,enfant,kind,kinder,crianca,子供,子ども,孩子,儿童",
    "dancer": "dancer,dancing,dances,ballerina,bailarina,baila,danseuse,danse,tanzer*,tanzt,dancarina,danca,ダンサー,踊,舞者,跳舞",
    "couple": "couple,lovers,two people,pareja,paar,casal,カップル,恋人,情侣,夫妻",
    "astronaut": "astronaut,cosmonaut,astronauta,astronaute,宇宙飛行士,宇航员",
    "robot": "robot,android,mech,roboter,robo,ロボット,机器人",
    "car": "car,taxi,automobile,sports car,truck,vehicle,coche,carro,auto,camion,voiture,wagen,車,自動車,タクシー,汽车,车,出租车",
    "bus": "bus,tram,autobus,omnibus,onibus,バス,电车,公交",
    "bicycle": "bicycle,bike,cyclist,cycling,bicicleta,velo,bicyclette,cycliste,fahrrad,radfahrer,自転車,自行车",
    "train": "train,locomotive,railway,tren,chemin de fer,zug,eisenbahn,trem,電車,列車,新幹線,火车,列车",
    "boat": "boat,sailboat,yacht,sail,canoe,kayak,rowboat,velero,barco,bote,bateau,voilier,boot,segelboot,segelschiff,veleiro,舟,ヨット,"
    "帆船,船,小船",
    "ship": "ship,cruise,ferry,freighter,tanker,galleon,buque,navire,paquebot,schiff,dampfer,navio,客船,轮船,货轮",
    "plane": "plane,airplane,aircraft,jet,avion,flugzeug,aviao,飛行機,飞机",
    "balloon": "balloon,hot air balloon,globo,montgolfiere,ballon,heissluftballon,balao,気球,热气球,气球",
    "rocket": "rocket,spaceship,starship,shuttle,cohete,nave,fusee,vaisseau,rakete,raumschiff,foguete,ロケット,宇宙船,火箭,飞船",
    "butterfly": "butterfly,butterflies,mariposa,papillon,schmetterling*,borboleta,蝶,蝴蝶",
    "firefly": "firefly,fireflies,luciernaga*,luciole,gluhwurmchen,vagalume,蛍,ホタル,萤火虫",
    "lighthouse": "lighthouse,faro,phare,leuchtturm,farol,灯台,灯塔",
}

LOOKS: dict[str, str] = {
    "neon": "neon,cyberpunk,synthwave,vaporwave,neonlicht*,ネオン,霓虹,赛博朋克",
    "autumn": "autumn,fall colors,fall foliage,autumnal,otono,automne,herbst*,outono,秋,紅葉,秋天,红叶",
    "blossom": "cherry blossom,blossom,sakura,spring,flowers,flower,primavera,flores,printemps,fleurs,fruhling,bluten,blumen,桜,花,春,樱花,"
    "春天",
    "aurora": "aurora,northern lights,aurora boreal,aurore boreale,polarlicht*,nordlicht*,オーロラ,极光",
    "snowy": "snow*,snowy,snow-capped,winter,ice,icy,glacier,arctic,nieve,nevado,neige,enneige,schnee*,verschneit*,neve,雪,氷,冰",
    "fast": "fast,quick,race,racing,running,runs,chase,speed*,gallop*,sprint*,corre,corriendo,rapido,court,rapide,rennt,schnell,"
    "laufend,correndo,走る,走って,速,奔跑,飞驰",
    "calm": "calm,peaceful,serene,quiet,gentle,slow*,tranquil*,relax*,meditat*,calma,paisible,calme,ruhig*,friedlich*,sereno,静か,穏やか,宁静,平静",
    "epic": "epic,dramatic,heroic,majestic,cinematic trailer,battle,epico,epique,episch*,dramatisch*,壮大,史诗",
    "happy": "happy,joyful,playful,cheerful,funny,fun,upbeat,feliz,alegre,joyeux,joyeuse,frohlich*,lustig,楽しい,快乐,欢快",
    "dark": "dark,horror,scary,spooky,eerie,noir,mysterious,oscuro,sombre,dunkel*,duster*,sombrio,暗い,怖い,黑暗,恐怖",
    "pyramid": "pyramid,egypt,piramide,pyramide,ピラミッド,金字塔",
    "fireflies": "firefly,fireflies,luciernaga*,luciole,gluhwurmchen,vagalume,蛍,ホタル,萤火虫",
}
